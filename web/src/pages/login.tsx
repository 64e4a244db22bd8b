/** Logging in: by name and password, or by the token of a link. */
import { useEffect, useState } from "preact/hooks";
import { call, wordsFor } from "../api.ts";
import { attempt, Button, Field, tell } from "../panels/ui.tsx";
import { Inline } from "../panels/marked.tsx";
import { go, path } from "../router.ts";
import { expired, findSession, logIn } from "../state/session.ts";
import { t } from "../texts.ts";
import { Plain } from "./shell.tsx";

export function LoginPage() {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [wrong, setWrong] = useState("");
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await logIn({ name, password });
      if (path.peek() === "/login" || path.peek() === "/enter") go("/", true);
    } catch (error) {
      setWrong(wordsFor(error));
    }
  };
  return (
    <main class="enter">
      <div class="card">
        <div class="row"><img src="/icon.svg" alt="" width={28} height={28} /><h1>{t.studio}</h1></div>
        {expired.value && <p role="status">{t.login.again}</p>}
        <form onSubmit={(event) => void submit(event)}>
          <Field label={t.login.name}>
            {(id) => <input id={id} value={name} autocomplete="username" required onInput={(event) => setName(event.currentTarget.value)} />}
          </Field>
          <Field label={t.login.password}>
            {(id) => (
              <input
                id={id} type="password" value={password} autocomplete="current-password" required
                onInput={(event) => setPassword(event.currentTarget.value)}
              />
            )}
          </Field>
          {wrong && <p class="error-box" role="alert">{wrong}</p>}
          <button type="submit" class="button primary">{t.login.go}</button>
        </form>
        <p class="hint"><Inline words={t.login.link} /></p>
      </div>
    </main>
  );
}

/** Opens the link of `inlay label` or of an invitation: its token stands behind the #, where no log sees it. */
export function Enter() {
  const [failed, setFailed] = useState("");
  useEffect(() => {
    const token = location.hash.slice(1);
    logIn({ token })
      .then(async () => {
        const projects = await call("GET /api/projects", {});
        go(projects.length === 1 ? `/projects/${projects[0].project_id}` : "/", true);
      })
      .catch(async (error: unknown) => {
        await findSession();
        history.replaceState(null, "", "/enter");
        setFailed(`${t.login.badLink} (${wordsFor(error)})`);
      });
  }, []);
  if (!failed) return <Plain>{t.login.entering}</Plain>;
  return (
    <main class="enter">
      <div class="card">
        <h1>{t.studio}</h1>
        <p role="alert">{failed}</p>
        <a href="/">{t.login.title}</a>
      </div>
    </main>
  );
}

export function PasswordForm({ asksOld, onDone }: { readonly asksOld: boolean; readonly onDone: () => void }) {
  const [old, setOld] = useState("");
  const [password, setPassword] = useState("");
  const submit = (): Promise<void | undefined> =>
    attempt(async () => {
      await call("PUT /api/session/password", {}, { body: { password, old: asksOld ? old : null } });
      tell(t.login.passwordSet);
      onDone();
    });
  return (
    <details>
      <summary>{t.login.setPassword}</summary>
      {asksOld && (
        <Field label={t.login.old}>
          {(id) => <input id={id} type="password" value={old} autocomplete="current-password" onInput={(event) => setOld(event.currentTarget.value)} />}
        </Field>
      )}
      <Field label={t.login.fresh}>
        {(id) => (
          <input
            id={id} type="password" value={password} minLength={10} autocomplete="new-password"
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        )}
      </Field>
      <div class="actions">
        <Button disabled={password.length < 10} onClick={() => void submit()}>{t.save}</Button>
      </div>
    </details>
  );
}
