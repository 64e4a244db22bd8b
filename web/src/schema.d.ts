/** Made by `python tools/wire_types.py` from the server's OpenAPI document: do not edit. */

/** What to label and why, what else would do, what goes with it, and what each label type costs. */
export interface Advice {
  readonly advised: readonly string[];
  readonly also: readonly string[];
  readonly alternatives: readonly Alternative[];
  readonly cannot: string;
  readonly costs: readonly Cost[];
  readonly guide: string;
  readonly hardware: string;
  readonly label_type: string;
  readonly looked_at: number;
  readonly metrics: readonly string[];
  readonly models: readonly string[];
  readonly packs: readonly string[];
  readonly reasons: readonly string[];
  readonly unknown: readonly string[];
}

/** What is asked, and what the project says already. */
export interface AdviceForm {
  readonly enough: number;
  readonly images: number;
  readonly labelled: number;
  readonly questions: readonly Question[];
  readonly timed: number;
  readonly tools: readonly string[];
  readonly wage: number;
}

/** Answers by the names of their questions, and what is to be priced. */
export interface AdviceQuestion {
  readonly answers: Readonly<Partial<Record<unknown, boolean | null>>>;
  readonly fixed?: number;
  readonly images?: number;
  readonly labellers?: number;
  readonly objects?: readonly number[];
  readonly size?: number;
  readonly tool?: "polygon" | "interactive" | "sam";
  readonly wage?: number;
}

/** How far two versions of an image agree; `first` or `second` is "truth" for the known answer. */
export interface Agreement {
  readonly first: string;
  readonly iou: number | null;
  readonly pq: number | null;
  readonly rq: number | null;
  readonly second: string;
  readonly sq: number | null;
}

/** All pairs of versions of one image. */
export interface Agreements {
  readonly pairs: readonly Agreement[];
  readonly versions: readonly ImageRow[];
}

/** Another label type, when it is the better one, and what it cannot say. */
export interface Alternative {
  readonly cannot: string;
  readonly label_type: string;
  readonly when: string;
}

/** Who is to label images; null: anybody. */
export interface Assignment {
  readonly images: readonly number[];
  readonly user_id: number | null;
}

/** Click to segment, class by class; `enough`: segments of either kind before the times decide. */
export interface Assistance {
  readonly classes: readonly ClassAssistance[];
  readonly enough: number;
}

/** A gesture that does not fit the document. */
export interface Broken {
  readonly error: string;
  readonly gesture: string;
  readonly op: number | null;
}

/** A rule that found something. */
export interface BrokenRule {
  readonly images: number;
  readonly rule: string;
}

/** A way to spend the hours: the score that it adds (P10, P50, P90), and that of an hour. */
export interface Buy {
  readonly gain: readonly [number, number, number];
  readonly hours: number;
  readonly name: string;
  readonly per_hour: number;
}

/** A table of scores (type, seconds, images, score) as text, what is at hand, and hours to spend. */
export interface BuyQuestion {
  readonly have: string;
  readonly hours: number;
  readonly images: number;
  readonly table: string;
}

/** Each way, the best first; `best` is null where nothing is expected to add anything. */
export interface Buys {
  readonly best: string | null;
  readonly ways: readonly Buy[];
}

/** A mask that an engine offers. */
export interface Candidate {
  readonly mask: Mask;
  readonly score: number;
}

/** What an engine offers, the best first. */
export interface Candidates {
  readonly candidates: readonly Candidate[];
  readonly engine: string;
}

/** What click to segment does for a class, and whether it is off. */
export interface ClassAssistance {
  readonly assisted: Pace;
  readonly by_hand: Pace;
  readonly choice: "automatic" | "on" | "off";
  readonly class_id: number;
  readonly costs: boolean;
  readonly difference: readonly [number, number, number] | null;
  readonly name: string;
  readonly off: boolean;
}

/** A merge or a split that was made, and may be taken back. */
export interface ClassChange {
  readonly at: string;
  readonly author: string;
  readonly change_id: number;
  readonly kind: "merge" | "split";
  readonly undone: boolean;
  readonly words: string;
}

/** A class; `class_id` is left out for a new one. `new`: who wins where it is drawn over others. */
export interface ClassRow {
  readonly class_id?: number | null;
  readonly colour: string;
  readonly hotkey?: string;
  readonly kind: "thing" | "stuff" | "void";
  readonly name: string;
  readonly new?: "wins" | "yields" | "inherit";
  readonly parent?: string;
  readonly segments?: number | null;
}

/** All classes in their new order; one that is missing here is deleted, if no segment has it. */
export interface ClassRows {
  readonly classes: readonly ClassRow[];
}

/** The classes of a project in their order; `revision` is also the ETag. */
export interface ClassTable {
  readonly classes: readonly ClassRow[];
  readonly revision: number;
}

/** A comment. */
export interface Comment {
  readonly at: string;
  readonly author: string;
  readonly box: readonly [number, number, number, number] | null;
  readonly comment_id: number;
  readonly image_id: number;
  readonly region: Mask | null;
  readonly resolved: boolean;
  readonly text: string;
}

/** Whether a comment is dealt with. */
export interface CommentChange {
  readonly resolved: boolean;
}

/** People who are each to label an image without seeing the others; or make it a honeypot's truth. */
export interface Copies {
  readonly people?: readonly number[];
  readonly truth?: boolean | null;
}

/** What labels of one type take: (P10, P50, P90), what moves it most, and whose figures these are. */
export interface Cost {
  readonly drivers: readonly Driver[];
  readonly hours: readonly [number, number, number];
  readonly mode: string;
  readonly money: readonly [number, number, number];
  readonly source: string;
  readonly timed: number;
}

/** A segment without pixels comes just in front of `above`; at the very back for null. */
export interface Create {
  readonly above?: string | null;
  readonly op: "create";
  readonly segment: SegmentFacts;
}

/** Progress, time, cost and quality of a project. */
export interface Dashboard {
  readonly classes: readonly Seconds[];
  readonly cost: number;
  readonly days: readonly Day[];
  readonly images: number;
  readonly people: readonly Seconds[];
  readonly proposed: number;
  readonly quality: readonly Quality[];
  readonly seconds: number;
  readonly segments: number;
  readonly states: Readonly<Partial<Record<"todo" | "labelling" | "submitted" | "accepted" | "returned", number>>>;
  readonly tools: readonly Seconds[];
}

/** One day's work. */
export interface Day {
  readonly day: string;
  readonly gestures: number;
  readonly seconds: number;
  readonly submitted: number;
}

/** A segment without pixels goes; the exact inverse of `create`. */
export interface Delete {
  readonly above?: string | null;
  readonly op: "delete";
  readonly segment: SegmentFacts;
}

/** The segments of one image, back to front. */
export interface Document {
  readonly image_id: number;
  readonly image_tags: readonly string[];
  readonly revision: number;
  readonly segments: readonly Segment[];
  readonly size: readonly [number, number];
}

/** What moves the cost: money at its low and at its high end. */
export interface Driver {
  readonly high: number;
  readonly low: number;
  readonly name: string;
}

/** The click engines at hand; none where the package for it is missing. `texts`: those that may read. */
export interface Engines {
  readonly default: string | null;
  readonly engines: readonly string[];
  readonly texts: readonly string[];
  readonly words: string;
}

/** One line of an image's history. */
export interface Entry {
  readonly at: string;
  readonly author: string;
  readonly gesture: Gesture;
  readonly revision: number;
}

/** Why a request was refused, in one line. */
export interface Error {
  readonly error: string;
  readonly where?: string | null;
}

/** What a server-sent event holds. */
export interface Event {
  readonly by?: string;
  readonly image?: number | null;
  readonly job?: number | null;
  readonly kind: "revision" | "state" | "lock" | "comment" | "classes" | "job" | "images";
  readonly revision?: number | null;
  readonly state?: "todo" | "labelling" | "submitted" | "accepted" | "returned" | null;
}

/** A box to propose segments in: clicks along its longer side, and the least area of a segment. */
export interface Everything {
  readonly box: readonly [number, number, number, number];
  readonly engine?: string | null;
  readonly least_area?: number;
  readonly side?: number;
}

/** What to write: the format, whose images, and whether losses are accepted. */
export interface Export {
  readonly format: string;
  readonly lossy?: boolean;
  readonly proposed?: boolean;
  readonly reader?: string | null;
  readonly states?: readonly ("todo" | "labelling" | "submitted" | "accepted" | "returned")[];
}

/** What a rule reports; `rule` "unreadable" where the image or label could not be judged. */
export interface Finding {
  readonly box: readonly [number, number, number, number] | null;
  readonly fingerprint: string;
  readonly fix: boolean;
  readonly keys: readonly string[];
  readonly limit: number | null;
  readonly measured: number | boolean | string | null;
  readonly message: string;
  readonly region: Mask | null;
  readonly rule: string;
  readonly severity: "error" | "warning" | "info";
}

/** The findings in one revision of an image. */
export interface Findings {
  readonly findings: readonly Finding[];
  readonly revision: number;
}

/** The finding to fix. */
export interface Fix {
  readonly fingerprint: string;
}

/** A format that can be read and written, and the readers its polygons can be written for. */
export interface FormatRow {
  readonly name: string;
  readonly readers: readonly string[];
  readonly words: string;
}

/** One change of a document; its inverse is the reversed list of the inverse ops. */
export interface Gesture {
  readonly at?: string;
  readonly id: string;
  readonly kind: string;
  readonly ops: readonly (Pixels | Hidden | Create | Delete | Set | Order)[];
  readonly seconds?: number;
  readonly undoes?: string | null;
}

/** A gesture that the client may apply. */
export interface GestureAnswer {
  readonly gesture: Gesture;
}

/** Gestures to apply, in order; all of them or none. */
export interface Gestures {
  readonly gestures: readonly Gesture[];
}

/** What a segment has underneath others grows or shrinks. */
export interface Hidden {
  readonly add?: Mask | null;
  readonly key: string;
  readonly op: "hidden";
  readonly remove?: Mask | null;
}

/** One image, with its neighbours in the list and in its video. */
export interface Image {
  readonly assignee: User | null;
  readonly comments: number;
  readonly coverage: number;
  readonly findings: number | null;
  readonly frame: number | null;
  readonly group: string;
  readonly image_id: number;
  readonly locked_by: User | null;
  readonly name: string;
  readonly next: number | null;
  readonly next_frame: number | null;
  readonly previous: number | null;
  readonly project_id: number;
  readonly proposed: number;
  readonly revision: number;
  readonly role: "" | "truth" | "copy";
  readonly seconds: number;
  readonly segments: number;
  readonly size: readonly [number, number] | null;
  readonly state: "todo" | "labelling" | "submitted" | "accepted" | "returned";
}

/** Some images in the order of their names; `next` goes into `after`. */
export interface ImagePage {
  readonly images: readonly ImageRow[];
  readonly next: string | null;
  readonly scanning: boolean;
  readonly total: number;
}

/** An image in a list. */
export interface ImageRow {
  readonly assignee: User | null;
  readonly comments: number;
  readonly coverage: number;
  readonly findings: number | null;
  readonly frame: number | null;
  readonly group: string;
  readonly image_id: number;
  readonly locked_by: User | null;
  readonly name: string;
  readonly proposed: number;
  readonly revision: number;
  readonly role: "" | "truth" | "copy";
  readonly seconds: number;
  readonly segments: number;
  readonly size: readonly [number, number] | null;
  readonly state: "todo" | "labelling" | "submitted" | "accepted" | "returned";
}

/** The new member, and the path of the link that works once; null for who can log in already. */
export interface Invited {
  readonly link: string | null;
  readonly member: Member;
}

/** A piece of work that takes a while. */
export interface Job {
  readonly at: string;
  readonly author: string;
  readonly done: number;
  readonly error: string | null;
  readonly file: string | null;
  readonly job_id: number;
  readonly kind: "import" | "export" | "merge" | "split" | "undo";
  readonly project_id: number;
  readonly result: Readonly<Record<string, unknown>>;
  readonly state: "waiting" | "running" | "done" | "failed";
  readonly total: number;
  readonly words: string;
}

/** Who works on an image, until when without another heartbeat. */
export interface Lock {
  readonly locked_by: User;
  readonly mine: boolean;
  readonly until: string;
}

/** A name and a password, or the token of a link. */
export interface Login {
  readonly name?: string | null;
  readonly password?: string | null;
  readonly token?: string | null;
}

/** A mask that is not empty: a half-open box, and COCO's compressed run lengths inside it. */
export interface Mask {
  readonly box: readonly [number, number, number, number];
  readonly runs: string;
}

/** A member of a project. */
export interface Member {
  readonly name: string;
  readonly role: "owner" | "reviewer" | "labeller";
  readonly user_id: number;
}

/** A member's new role. */
export interface MemberChange {
  readonly role: "owner" | "reviewer" | "labeller";
}

/** Classes whose segments become those of another one. */
export interface Merge {
  readonly from: readonly number[];
  readonly into: number;
}

/** A comment on an image, or on a box or region of it. */
export interface NewComment {
  readonly box?: readonly [number, number, number, number] | null;
  readonly region?: Mask | null;
  readonly text: string;
}

/** A person to take into a project; a person who is new gets a link to log in with. */
export interface NewMember {
  readonly name: string;
  readonly role: "owner" | "reviewer" | "labeller";
}

/** A project to be made of the images in a folder on the server, below one of its image folders. */
export interface NewProject {
  readonly folder: string;
  readonly name: string;
}

/** The image to label next; null when there is none left. */
export interface NextImage {
  readonly image: ImageRow | null;
}

/** A segment moves: it stood just in front of `before`, and comes to stand in front of `after`. */
export interface Order {
  readonly after: string | null;
  readonly before: string | null;
  readonly key: string;
  readonly op: "order";
}

/** How many segments were drawn in one way, and the mean seconds and gestures that each took. */
export interface Pace {
  readonly edits: number;
  readonly seconds: number;
  readonly segments: number;
}

/** A new password. */
export interface Password {
  readonly old?: string | null;
  readonly password: string;
}

/** Seen pixels change their owner; all of them belong to `before` now. */
export interface Pixels {
  readonly after: string | null;
  readonly before: string | null;
  readonly mask: Mask;
  readonly op: "pixels";
}

/** A project, as one of its members sees it. */
export interface Project {
  readonly assist_off: readonly number[];
  readonly assist_on: readonly number[];
  readonly consensus: number;
  readonly honeypots: number;
  readonly images: number;
  readonly name: string;
  readonly packs: readonly string[];
  readonly project_id: number;
  readonly rate: number;
  readonly role: "owner" | "reviewer" | "labeller";
  readonly rules: string;
  readonly scanning: boolean;
  readonly states: Readonly<Partial<Record<"todo" | "labelling" | "submitted" | "accepted" | "returned", number>>>;
  readonly strict: boolean;
}

/** Settings of a project; what is left out stays. */
export interface ProjectChange {
  readonly assist_off?: readonly number[] | null;
  readonly assist_on?: readonly number[] | null;
  readonly consensus?: number | null;
  readonly honeypots?: number | null;
  readonly name?: string | null;
  readonly packs?: readonly string[] | null;
  readonly rate?: number | null;
  readonly rules?: string | null;
  readonly strict?: boolean | null;
}

/** What a labeller shows: clicks (x, y, is the segment there?), a line of (x, y), a mask to mend. */
export interface Prompt {
  readonly box?: readonly [number, number, number, number] | null;
  readonly engine?: string | null;
  readonly mask?: Mask | null;
  readonly points?: readonly (readonly [number, number, boolean])[];
  readonly scribble?: readonly (readonly [number, number])[];
  readonly text?: string;
}

/** The image to carry segments to, and which. */
export interface Propagate {
  readonly keys?: readonly string[];
  readonly to: number;
}

/** A person's results: returned images, and the agreement on honeypots. */
export interface Quality {
  readonly accepted: number;
  readonly honeypots: number;
  readonly name: string;
  readonly pq: number | null;
  readonly returned: number;
  readonly submitted: number;
}

/** One of the nine questions. */
export interface Question {
  readonly name: string;
  readonly words: string;
}

/** The revision to go back to. */
export interface Restore {
  readonly revision: number;
}

/** The revision that a document has now. */
export interface Revision {
  readonly revision: number;
}

/** Active time and what came of it, for a class, a person or a tool. */
export interface Seconds {
  readonly cost: number;
  readonly gestures: number;
  readonly name: string;
  readonly seconds: number;
  readonly segments: number;
}

/** A segment: what is seen of it, and what runs on underneath those in front. */
export interface Segment {
  readonly class_id: number;
  readonly crowd?: boolean;
  readonly hidden?: Mask | null;
  readonly instance_id?: number;
  readonly key: string;
  readonly score?: number | null;
  readonly source?: string;
  readonly state?: "final" | "proposed";
  readonly tags?: readonly string[];
  readonly visible?: Mask | null;
}

/** A segment without its pixels. */
export interface SegmentFacts {
  readonly class_id: number;
  readonly crowd?: boolean;
  readonly instance_id?: number;
  readonly key: string;
  readonly score?: number | null;
  readonly source?: string;
  readonly state?: "final" | "proposed";
  readonly tags?: readonly string[];
}

/** A segment of an image. */
export interface SegmentPlace {
  readonly image_id: number;
  readonly key: string;
}

/** Who is logged in; `token` goes into the header X-Inlay-Token of every write. */
export interface Session {
  readonly admin: boolean;
  readonly has_password: boolean;
  readonly token: string;
  readonly user: User;
}

/** One fact of a segment changes, or of the image where `key` is null. */
export interface Set {
  readonly after: boolean | number | string | readonly string[] | null;
  readonly before: boolean | number | string | readonly string[] | null;
  readonly field: "class_id" | "instance_id" | "crowd" | "tags" | "score" | "state" | "source" | "image_tags";
  readonly key: string | null;
  readonly op: "set";
}

/** A class whose segments partly go to new ones. */
export interface Split {
  readonly class_id: number;
  readonly into: readonly SplitPart[];
}

/** A new class, and the segments that get it. */
export interface SplitPart {
  readonly row: ClassRow;
  readonly segments: readonly SegmentPlace[];
}

/** Somebody else saved first: what has happened since. */
export interface Stale {
  readonly error: string;
  readonly gestures: readonly Entry[];
  readonly revision: number;
}

/** The new state of an image, and a word to whom it goes back. */
export interface StateChange {
  readonly comment?: string;
  readonly state: "todo" | "labelling" | "submitted" | "accepted" | "returned";
}

/** A person. */
export interface User {
  readonly name: string;
  readonly user_id: number;
}

/** What each route takes and gives. */
export interface Routes {
  "PATCH /api/comments/{comment_id}": { body: CommentChange; query: Record<never, never>; answer: Comment };
  "GET /api/engines": { body: undefined; query: Record<never, never>; answer: Engines };
  "GET /api/formats": { body: undefined; query: Record<never, never>; answer: readonly FormatRow[] };
  "GET /api/images/{image_id}": { body: undefined; query: Record<never, never>; answer: Image };
  "GET /api/images/{image_id}/agreement": { body: undefined; query: Record<never, never>; answer: Agreements };
  "GET /api/images/{image_id}/comments": { body: undefined; query: Record<never, never>; answer: readonly Comment[] };
  "POST /api/images/{image_id}/comments": { body: NewComment; query: Record<never, never>; answer: Comment };
  "POST /api/images/{image_id}/copies": { body: Copies; query: Record<never, never>; answer: readonly ImageRow[] };
  "GET /api/images/{image_id}/document": { body: undefined; query: { revision?: number | null }; answer: Document };
  "POST /api/images/{image_id}/everything": { body: Everything; query: Record<never, never>; answer: Candidates };
  "GET /api/images/{image_id}/findings": { body: undefined; query: Record<never, never>; answer: Findings };
  "POST /api/images/{image_id}/fix": { body: Fix; query: Record<never, never>; answer: GestureAnswer };
  "POST /api/images/{image_id}/follow": { body: Propagate; query: Record<never, never>; answer: GestureAnswer };
  "GET /api/images/{image_id}/gestures": { body: undefined; query: { after?: number; limit?: number }; answer: readonly Entry[] };
  "POST /api/images/{image_id}/gestures": { body: Gestures; query: Record<never, never>; answer: Revision };
  "POST /api/images/{image_id}/lock": { body: undefined; query: Record<never, never>; answer: Lock };
  "DELETE /api/images/{image_id}/lock": { body: undefined; query: Record<never, never>; answer: undefined };
  "GET /api/images/{image_id}/pixels": { body: undefined; query: { side?: number | null }; answer: undefined };
  "POST /api/images/{image_id}/prompt": { body: Prompt; query: Record<never, never>; answer: Candidates };
  "POST /api/images/{image_id}/propagate": { body: Propagate; query: Record<never, never>; answer: GestureAnswer };
  "POST /api/images/{image_id}/restore": { body: Restore; query: Record<never, never>; answer: Revision };
  "POST /api/images/{image_id}/state": { body: StateChange; query: Record<never, never>; answer: ImageRow };
  "POST /api/images/{image_id}/take/{copy_id}": { body: undefined; query: Record<never, never>; answer: Revision };
  "GET /api/jobs/{job_id}": { body: undefined; query: Record<never, never>; answer: Job };
  "GET /api/jobs/{job_id}/file": { body: undefined; query: Record<never, never>; answer: undefined };
  "GET /api/packs": { body: undefined; query: Record<never, never>; answer: readonly string[] };
  "GET /api/projects": { body: undefined; query: Record<never, never>; answer: readonly Project[] };
  "POST /api/projects": { body: NewProject; query: Record<never, never>; answer: Project };
  "GET /api/projects/{project_id}": { body: undefined; query: Record<never, never>; answer: Project };
  "PATCH /api/projects/{project_id}": { body: ProjectChange; query: Record<never, never>; answer: Project };
  "GET /api/projects/{project_id}/advice": { body: undefined; query: Record<never, never>; answer: AdviceForm };
  "POST /api/projects/{project_id}/advice": { body: AdviceQuestion; query: Record<never, never>; answer: Advice };
  "POST /api/projects/{project_id}/advice/buy": { body: BuyQuestion; query: Record<never, never>; answer: Buys };
  "GET /api/projects/{project_id}/advice/timings": { body: undefined; query: Record<never, never>; answer: undefined };
  "POST /api/projects/{project_id}/assign": { body: Assignment; query: Record<never, never>; answer: undefined };
  "GET /api/projects/{project_id}/assistance": { body: undefined; query: Record<never, never>; answer: Assistance };
  "GET /api/projects/{project_id}/broken-rules": { body: undefined; query: Record<never, never>; answer: readonly BrokenRule[] };
  "GET /api/projects/{project_id}/classes": { body: undefined; query: Record<never, never>; answer: ClassTable };
  "PUT /api/projects/{project_id}/classes": { body: ClassRows; query: Record<never, never>; answer: ClassTable };
  "GET /api/projects/{project_id}/classes/changes": { body: undefined; query: Record<never, never>; answer: readonly ClassChange[] };
  "POST /api/projects/{project_id}/classes/changes/{change_id}/undo": { body: undefined; query: Record<never, never>; answer: Job };
  "POST /api/projects/{project_id}/classes/merge": { body: Merge; query: Record<never, never>; answer: Job };
  "POST /api/projects/{project_id}/classes/split": { body: Split; query: Record<never, never>; answer: Job };
  "GET /api/projects/{project_id}/dashboard": { body: undefined; query: Record<never, never>; answer: Dashboard };
  "GET /api/projects/{project_id}/events": { body: undefined; query: Record<never, never>; answer: undefined };
  "POST /api/projects/{project_id}/export": { body: Export; query: Record<never, never>; answer: Job };
  "GET /api/projects/{project_id}/images": { body: undefined; query: { after?: string | null; limit?: number; q?: string | null; state?: "todo" | "labelling" | "submitted" | "accepted" | "returned" | null; tag?: string | null; class_id?: number | null; finding?: string | null; person?: number | null }; answer: ImagePage };
  "POST /api/projects/{project_id}/import": { body: Blob; query: { name: string; as?: "labels" | "predictions"; format?: string | null; model?: string }; answer: Job };
  "GET /api/projects/{project_id}/jobs": { body: undefined; query: Record<never, never>; answer: readonly Job[] };
  "GET /api/projects/{project_id}/members": { body: undefined; query: Record<never, never>; answer: readonly Member[] };
  "POST /api/projects/{project_id}/members": { body: NewMember; query: Record<never, never>; answer: Invited };
  "PATCH /api/projects/{project_id}/members/{user_id}": { body: MemberChange; query: Record<never, never>; answer: Member };
  "DELETE /api/projects/{project_id}/members/{user_id}": { body: undefined; query: Record<never, never>; answer: undefined };
  "POST /api/projects/{project_id}/next": { body: undefined; query: Record<never, never>; answer: NextImage };
  "POST /api/projects/{project_id}/scan": { body: undefined; query: Record<never, never>; answer: Project };
  "GET /api/session": { body: undefined; query: Record<never, never>; answer: Session };
  "POST /api/session": { body: Login; query: Record<never, never>; answer: Session };
  "DELETE /api/session": { body: undefined; query: Record<never, never>; answer: undefined };
  "PUT /api/session/password": { body: Password; query: Record<never, never>; answer: undefined };
}
