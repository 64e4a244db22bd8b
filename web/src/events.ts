/** What others do in a project, as the server tells it. */
import { address } from "./api.ts";
import type { Event as Told } from "./schema.d.ts";

/** Listens until the given function is called; `again` is called when the line was lost and is back. */
export function listen(project: number, heard: (event: Told) => void, again: () => void): () => void {
  const source = new EventSource(address("/api/projects/{project_id}/events", { project_id: project }));
  let opened = false;
  source.onopen = () => {
    if (opened) again();
    opened = true;
  };
  source.onmessage = ({ data }: MessageEvent<string>) => {
    try {
      heard(JSON.parse(data) as Told);
    } catch {
      // a line that is no event says nothing
    }
  };
  return () => source.close();
}
