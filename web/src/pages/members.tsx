/** Who works on a project, and as what. */
import { useEffect, useState } from "preact/hooks";
import { call } from "../api.ts";
import { attempt, Button, Dialog, Field, tell } from "../panels/ui.tsx";
import type { Invited, Member } from "../schema.d.ts";
import { loadMembers, members, owns } from "../state/project.ts";
import { session } from "../state/session.ts";
import { t } from "../texts.ts";
import { type Role, ROLES } from "../words.ts";
import { Shell, useTitle } from "./shell.tsx";

export function MembersPage({ project: id }: { readonly project: number }) {
  const [invited, setInvited] = useState<Invited | null>(null);
  useTitle(t.members.title);
  useEffect(() => void attempt(() => loadMembers(id)), [id]);
  return (
    <Shell>
      <div class="heading"><h1>{t.members.title}</h1></div>
      {owns.value && <Invite project={id} onInvited={setInvited} />}
      <div class="card table">
        <table>
          <thead><tr><th scope="col">{t.members.name}</th><th scope="col">{t.members.role}</th><th scope="col"><span class="hush">{t.members.role}</span></th></tr></thead>
          <tbody>{members.value.map((member) => <Row key={member.user_id} project={id} member={member} />)}</tbody>
        </table>
      </div>
      <p class="hint">{t.members.roleHint}</p>
      {invited && <Link invited={invited} onClose={() => setInvited(null)} />}
    </Shell>
  );
}

function Row({ project: id, member }: { readonly project: number; readonly member: Member }) {
  const place = { project_id: id, user_id: member.user_id };
  const change = (role: Role): Promise<unknown> =>
    attempt(async () => call("PATCH /api/projects/{project_id}/members/{user_id}", place, { body: { role } })).then(() => loadMembers(id));
  const remove = (): Promise<unknown> =>
    attempt(async () => call("DELETE /api/projects/{project_id}/members/{user_id}", place)).then(() => loadMembers(id));
  return (
    <tr>
      <td>{member.name} {member.user_id === session.value?.user.user_id && <span class="soft">({t.members.you})</span>}</td>
      <td>
        {owns.value ? (
          <select aria-label={`${t.members.role}: ${member.name}`} value={member.role} onChange={(event) => void change(event.currentTarget.value as Role)}>
            {ROLES.map((role) => <option key={role} value={role}>{t.roles[role]}</option>)}
          </select>
        ) : t.roles[member.role]}
      </td>
      <td class="number">{owns.value && <Button icon="trash" kind="quiet" title={`${t.remove}: ${member.name}. ${t.members.removeHint}`} onClick={() => void remove()} />}</td>
    </tr>
  );
}

function Invite({ project: id, onInvited }: { readonly project: number; readonly onInvited: (invited: Invited) => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("labeller");
  const invite = (event: Event): void => {
    event.preventDefault();
    void attempt(async () => {
      onInvited(await call("POST /api/projects/{project_id}/members", { project_id: id }, { body: { name, role } }));
      setName("");
      await loadMembers(id);
    });
  };
  return (
    <form class="card filters" onSubmit={invite}>
      <Field label={t.members.name}>
        {(field) => <input id={field} value={name} required maxLength={120} autocomplete="off" onInput={(event) => setName(event.currentTarget.value)} />}
      </Field>
      <Field label={t.members.role}>
        {(field) => (
          <select id={field} value={role} onChange={(event) => setRole(event.currentTarget.value as Role)}>
            {ROLES.map((one) => <option key={one} value={one}>{t.roles[one]}</option>)}
          </select>
        )}
      </Field>
      <button type="submit" class="button primary">{t.members.invite}</button>
    </form>
  );
}

function Link({ invited: { member, link }, onClose }: { readonly invited: Invited; readonly onClose: () => void }) {
  const whole = link && new URL(link, location.href).href;
  const copy = (): Promise<unknown> =>
    attempt(async () => {
      await navigator.clipboard.writeText(whole ?? "");
      tell(t.members.copied);
    });
  return (
    <Dialog title={t.members.invite} onClose={onClose}>
      <p>{whole ? t.members.link(member.name) : t.members.known(member.name)}</p>
      {whole && <input readonly aria-label={t.members.link(member.name)} value={whole} onFocus={(event) => event.currentTarget.select()} />}
      <div class="actions">
        {whole && <Button icon="copy" onClick={() => void copy()}>{t.members.copy}</Button>}
        <Button kind="primary" onClick={onClose}>{t.close}</Button>
      </div>
    </Dialog>
  );
}
