/** Whose turn it is. */
import { call } from "../api.ts";
import { attempt, tell } from "../panels/ui.tsx";
import { go } from "../router.ts";
import { t } from "../texts.ts";

/** The page of an image. */
export const pageOf = (project: number, image: number): string => `/projects/${project}/images/${image}`;

/** Opens the image that the server hands out next. */
export const labelNext = (project: number): Promise<unknown> =>
  attempt(async () => {
    const { image } = await call("POST /api/projects/{project_id}/next", { project_id: project });
    if (image) go(pageOf(project, image.image_id));
    else tell(t.images.nothingNext);
  });
