"""Concepts: what class names of common data sets mean, so that rules of logic need not know each spelling."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

WORDS: dict[str, str] = {
    "sky": "sky cloud",
    "road": "road street lane lanemarking roadmarking roadmarkings crosswalk asphalt parking motorway runway",
    "pavement": "pavement sidewalk kerb curb path footpath pathway platform",
    "terrain": "terrain ground grass earth dirt sand snow soil lawn gravel mud field meadow floor carpet rug",
    "water": "water sea river lake ocean pond pool canal",
    "building": "building house skyscraper wall tower bridge tunnel garage roof archway facade",
    "barrier": "fence guardrail railing barrier gate bollard",
    "plant": "tree vegetation bush plant flower hedge pottedplant palm shrub forest",
    "pole": "pole column signsymbol sign trafficsign trafficlight stopsign streetlight lamp polegroup",
    "person": "person pedestrian man woman child people human boy girl player",
    "rider": "rider cyclist bicyclist motorcyclist bikerider",
    "vehicle": "car truck bus van train tram caravan trailer suv pickuptruck vehicle lorry onrails taxi",
    "cycle": "bicycle motorcycle motorbike bike scooter cycle",
    "flying": "airplane aeroplane plane helicopter drone bird kite balloon frisbee sportsball parachute",
    "boat": "boat ship kayak canoe sailboat",
    "animal": "animal dog cat horse cow sheep elephant bear zebra giraffe goat pig",
    "glass": "glass wineglass windowpane windshield windscreen vitrine",
    "cell": "cell nucleus cytoplasm nuclei",
}
MEANING = {word: concept for concept, words in WORDS.items() for word in words.split()}
CONCEPTS = tuple(WORDS)


def plain(name: str) -> str:
    """A name without case, accents, punctuation, and the s of a plural."""
    letters = "".join(letter for letter in unicodedata.normalize("NFKD", name.casefold()) if letter.isalnum())
    letters = letters or name
    return (
        letters[:-1] if letters.endswith("s") and not letters.endswith("ss") and len(letters) > 3 else letters
    )


@lru_cache(maxsize=4096)
def concept_of(name: str) -> str:
    """What a class name means; '' when it is none of the words known.

    The whole name counts first, then its last word: a "parked car" is a vehicle.
    """
    words = "".join(letter if letter.isalnum() else " " for letter in name).split()
    for word in (plain(name), plain(words[-1]) if words else ""):
        for form in (word, word + "s", name.casefold()):
            if form in MEANING:
                return MEANING[form]
    return ""
