/** Who is logged in. */
import { signal } from "@preact/signals";
import { call, setToken, whenLoggedOut } from "../api.ts";
import { go } from "../router.ts";
import { whenKept } from "../saving/copies.ts";
import type { Login, Session } from "../schema.d.ts";

/** `undefined` until the server was asked; null when nobody is logged in. */
export const session = signal<Session | null | undefined>(undefined);

/** Whether a session ended while somebody worked. */
export const expired = signal(false);

function take(value: Session | null): void {
  session.value = value;
  setToken(value?.token ?? "");
}

/** Asks the server who is logged in. */
export async function findSession(): Promise<void> {
  take(await call("GET /api/session", {}).catch(() => null));
}

/** Logs in, by name and password or by the token of a link. */
export async function logIn(login: Login): Promise<void> {
  take(await call("POST /api/session", {}, { body: login }));
  void whenKept().then(() => call("GET /api/session", {})).catch(() => undefined); // so that a reload offline knows it
}

export async function logOut(): Promise<void> {
  await call("DELETE /api/session", {});
  take(null);
  go("/login");
}

whenLoggedOut(() => {
  expired.value = session.peek() != null || expired.peek();
  take(null);
});
