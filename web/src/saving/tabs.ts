/** Which tabs of this browser live: each holds a lock of its own, which ends with it, however it ends. */

export const TAB: string = crypto.randomUUID();

const NAME = "inlay-tab-";
let living: ReadonlySet<string> = new Set([TAB]);

/** Says that this tab lives, and looks who else does. To be called before journals are read. */
export async function joinTabs(): Promise<void> {
  if (!("locks" in navigator)) return;
  void navigator.locks.request(NAME + TAB, () => new Promise<void>(() => {}));
  await lookAtTabs();
}

export async function lookAtTabs(): Promise<void> {
  if (!("locks" in navigator)) return;
  const { held = [] } = await navigator.locks.query();
  living = new Set([TAB, ...held.flatMap(({ name }) => (name?.startsWith(NAME) ? [name.slice(NAME.length)] : []))]);
}

/** Whether a tab still lives and so saves its own gestures; this one's earlier ones count as dead. */
export const isAlive = (tab: string): boolean => tab !== TAB && living.has(tab);
