/** How the image and the colours look; nothing of it is saved with the labels. */
import type { Desk } from "../state/desk.ts";
import { preferences, setPreferences } from "../state/settings.ts";
import { t } from "../texts.ts";
import { Button, Choice, Slider, Tick } from "./ui.tsx";

export function Adjust({ desk }: { readonly desk: Desk }) {
  void desk.ticks.view.value;
  const { editor } = desk;
  const { view } = editor;
  return (
    <div class="pad">
      <Slider label={t.adjust.brightness} min={0.2} max={3} step={0.05} value={view.brightness} onChange={(brightness) => editor.look({ brightness })} />
      <Slider label={t.adjust.contrast} min={0.2} max={3} step={0.05} value={view.contrast} onChange={(contrast) => editor.look({ contrast })} />
      <div class="row">
        <span class="grow">{t.adjust.channel}</span>
        <Choice label={t.adjust.channel} value={view.channel} options={t.adjust.channels} onChange={(channel) => editor.look({ channel })} />
      </div>
      <div class="row">
        <span class="grow">{t.view.colours}</span>
        <Choice
          label={t.view.colours} value={view.colours} options={{ instance: t.view.byInstance, class: t.view.byClass, safe: t.view.safe }}
          onChange={(colours) => editor.look({ colours })}
        />
      </div>
      <div class="row">
        <span class="grow">{t.view.theme}</span>
        <Choice
          label={t.view.theme} value={preferences.value.theme} options={{ system: t.view.system, dark: t.view.dark, light: t.view.light }}
          onChange={(theme) => setPreferences({ theme })}
        />
      </div>
      <div class="row">
        <span class="grow"><Tick label={t.adjust.minimap} checked={view.minimap} onChange={(minimap) => editor.look({ minimap })} /></span>
        <Button onClick={() => editor.look({ brightness: 1, contrast: 1, channel: "all" })}>{t.adjust.reset}</Button>
      </div>
    </div>
  );
}
