"""Settings as TOML."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay import FormatError, InlayError, plugins
from inlay.models.parts.settings import settings_of
from inlay.training.config import (
    Augment,
    RunConfig,
    Training,
    changes_from,
    config_from,
    config_of,
    config_to_toml,
    default_config,
    read_config,
)

MODELS = plugins.names("models")
positive = st.floats(1e-6, 10, allow_nan=False)


@pytest.mark.parametrize("model", MODELS)
def test_the_default_settings_of_every_family_come_back_from_toml(model, tmp_path):
    config = default_config(model)
    path = tmp_path / "config.toml"
    path.write_text(config_to_toml(config))
    assert read_config(path) == config


@settings(max_examples=40)
@given(rate=positive, seed=st.integers(0, 2**31), flip=st.booleans(), low=positive, batch=st.integers(1, 64))
def test_any_settings_come_back_from_toml(rate, seed, flip, low, batch):
    import tomllib

    augment = Augment(flip=flip, scale=(low, low * 1.5))
    training = Training(learning_rate=rate, seed=seed, batch=batch, augment=augment)
    config = replace(default_config("unet"), training=training)
    assert config_from(tomllib.loads(config_to_toml(config))) == config


def test_a_missing_key_keeps_the_default_of_the_family():
    config = config_from({"training": {"batch": 3}}, "solov2")
    assert config.training.batch == 3
    assert config.training.augment == default_config("solov2").training.augment


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"training": {"bach": 3}}, "did you mean 'batch'"),
        ({"training": {"augment": {"crops": [64, 64]}}}, "did you mean 'crop'"),
        ({"unet": {"width": [8]}}, "did you mean 'widths'"),
        ({"trainings": {}}, "did you mean 'training'"),
        ({"training": {"batch": "three"}}, "training.batch is 'three'; it must be int"),
        ({"training": {"batch": True}}, "training.batch is True"),
        ({"training": {"batch": 0}}, "batch is out of its range"),
        ({"training": {"schedule": "steps"}}, "it can be 'poly', 'cosine'"),
        ({"training": {"augment": {"crop": [64]}}}, "has 1 values; it must have 2"),
        ({"training": 3}, "must be a table"),
        ({"model": "solov2"}, "asked for is 'unet'"),
    ],
)
def test_a_wrong_key_or_value_is_named_with_the_way_out(table, words):
    with pytest.raises(InlayError, match=words):
        config_from(table, "unet")


def test_an_unknown_family_names_the_nearest():
    with pytest.raises(InlayError, match="did you mean 'unet'"):
        config_from({"model": "unett"})


def test_a_config_without_a_model_says_how_to_name_one():
    with pytest.raises(InlayError, match='model = "unet"'):
        config_from({})


def test_a_broken_file_is_named(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("[training\n")
    with pytest.raises(FormatError, match=r"broken\.toml: not a TOML file"):
        read_config(path, "unet")
    with pytest.raises(FormatError, match="no such config file"):
        read_config(tmp_path / "absent.toml", "unet")
    path.write_text("[unet]\nnorms = 'group'\n")
    with pytest.raises(
        FormatError, match=r"broken\.toml: unet has an unknown key 'norms'; did you mean 'norm'"
    ):
        read_config(path, "unet")


def test_settings_are_frozen():
    config = default_config("unet")
    assert isinstance(config, RunConfig)
    with pytest.raises(AttributeError):
        config.training.batch = 3


def test_every_setting_of_a_training_says_what_it_means():
    training = Training()
    for part in (training, training.augment, training.teacher):
        silent = [item.name for item in settings_of(part) if not item.meaning]
        assert [name for name in silent if name not in ("augment", "teacher")] == []


def test_settings_are_given_one_by_one_in_words():
    changes = changes_from(
        ["training.batch=4", "unet.encoder=csp", "unet.widths=[8, 16]", "training.augment.flip=false"]
    )
    assert changes == {
        "training": {"batch": 4, "augment": {"flip": False}},
        "unet": {"encoder": "csp", "widths": [8, 16]},
    }
    assert config_of(changes, "unet").training.batch == 4
    assert config_of(None, "unet") == default_config("unet")
    for words in ("batch", "=4", "training..batch=4"):
        with pytest.raises(InlayError, match=r"write NAME=VALUE, such as training\.batch=4"):
            changes_from([words])


def test_settings_given_one_by_one_come_before_those_of_the_file(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('model = "unet"\n[training]\nbatch = 2\nseed = 7\n')
    training = read_config(path, "unet", {"training": {"batch": 4}}).training
    assert (training.batch, training.seed) == (4, 7)
    with pytest.raises(InlayError, match="did you mean 'batch'"):
        read_config(path, "unet", {"training": {"batsh": 4}})
