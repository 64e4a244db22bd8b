/** What surrounds the pages of a project: the bar with its links. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { wordsFor } from "../api.ts";
import { Button, Choice, Dialog } from "../panels/ui.tsx";
import { path } from "../router.ts";
import { owns, project, reviews } from "../state/project.ts";
import { logOut, session } from "../state/session.ts";
import { preferences, setPreferences } from "../state/settings.ts";
import { t } from "../texts.ts";
import { PasswordForm } from "./login.tsx";

/** Sets the name of the browser's tab. */
export function useTitle(words: string): void {
  useEffect(() => void (document.title = `${words} · ${t.studio}`), [words]);
}

const Brand = () => (
  <a class="brand" href="/" aria-label={t.toProjects}>
    <img src="/icon.svg" alt="" />
  </a>
);

function Account() {
  const [open, setOpen] = useState(false);
  const who = session.value;
  if (!who) return null;
  return (
    <>
      <Button icon="settings" kind="quiet" title={t.nav.account} onClick={() => setOpen(true)}>{who.user.name}</Button>
      {open && (
        <Dialog title={who.user.name} onClose={() => setOpen(false)}>
          <div class="row">
            <span class="grow">{t.view.theme}</span>
            <Choice
              label={t.view.theme} value={preferences.value.theme} onChange={(theme) => setPreferences({ theme })}
              options={{ system: t.view.system, dark: t.view.dark, light: t.view.light }}
            />
          </div>
          <PasswordForm asksOld={who.has_password} onDone={() => setOpen(false)} />
          <div class="actions">
            <Button icon="out" onClick={() => void logOut()}>{t.login.out}</Button>
          </div>
        </Dialog>
      )}
    </>
  );
}

/** A page of a project, with its links above. */
export function Shell({ children }: { readonly children: ComponentChildren }) {
  const open = project.value;
  const links = open
    ? [
        ["", t.nav.images, true], ["/dashboard", t.nav.dashboard, reviews.value], ["/classes", t.nav.classes, true],
        ["/members", t.nav.members, true], ["/advice", t.nav.advice, reviews.value], ["/data", t.nav.data, owns.value], ["/settings", t.nav.settings, true],
      ] as const
    : [];
  const root = `/projects/${open?.project_id}`;
  return (
    <div class="page">
      <a class="skip" href="#content">{t.skip}</a>
      <header class="top">
        <Brand />
        {open ? <strong>{open.name}</strong> : <strong>{t.studio}</strong>}
        <nav aria-label={t.nav.main}>
          {links.filter(([, , may]) => may).map(([to, words]) => (
            <a key={to} href={root + to} aria-current={path.value === root + to ? "page" : undefined}>{words}</a>
          ))}
        </nav>
        <Account />
      </header>
      <main class="body" id="content" tabIndex={-1}>
        <div class="column">{children}</div>
      </main>
    </div>
  );
}

/** A page with nothing but words. */
export const Plain = ({ children }: { readonly children: ComponentChildren }) => (
  <main class="enter"><p class="soft">{children}</p></main>
);

/** A page that cannot be shown, and the way out. */
export const Failed = ({ error }: { readonly error: unknown }) => (
  <main class="enter">
    <div class="card">
      <h1>{t.studio}</h1>
      <p role="alert">{wordsFor(error)}</p>
      <a href="/">{t.toProjects}</a>
    </div>
  </main>
);
