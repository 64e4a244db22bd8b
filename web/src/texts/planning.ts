/** English texts about what labels cost, with and without assistance. */
import { plural, signed } from "./figures.ts";

export const assistance = {
  title: "Click to segment, by class",
  hint: (enough: number) =>
    `Active seconds of each segment, corrections included. Where ${enough} segments of both kinds show that it costs time (the whole 95 % interval above zero), it switches itself off for the class.`,
  assisted: "With click to segment", byHand: "By hand",
  className: "Class",
  segments: "Segments", seconds: "Seconds", edits: "Gestures",
  difference: "Difference", use: "Use it",
  interval: (low: number, mean: number, high: number) => `${signed(mean)} s (${signed(low)} to ${signed(high)})`,
  tooFew: (n: number) => `${n.toLocaleString("en")} more needed`,
  choices: { automatic: "as measured", on: "always", off: "never" },
  choice: (name: string) => `Use click to segment for ${name}`,
  saves: "saves time", costs: "costs time: off", unclear: "no clear difference", off: "off", overruled: "costs time, used all the same",
  offMeasured: (name: string, words: string) => `Off for ${name}: there it takes ${words} longer than by hand.`,
  offChosen: (name: string) => `Off for ${name}: the project's owner chose so.`,
  useAnyway: "Use it all the same",
  none: "No segment was drawn yet, with or without it.",
};

export const advice = {
  title: "Advice: what to label, and what it costs",
  questions: "Nine questions",
  questionsHint: "What shall the labels answer? What you do not know yet counts as no, and the answer says so.",
  answers: { yes: "yes", no: "no", unknown: "not known" },
  price: "What is to be priced",
  known: (labelled: number, timed: number, enough: number) => {
    if (!labelled) return "No image of this project is finished yet: say how many objects a few images have.";
    const whose = timed >= enough ? "their times replace the priors" : `prior, not your data: from ${enough} timed images on, your own times count`;
    return `${plural(labelled, "finished image")}, ${timed} of them timed: ${whose}.`;
  },
  timings: "The times as a file (for inlay advise cost --timings)",
  images: "Images to label", wage: "Money an hour", labellers: "People for each image", tool: "Outlines drawn",
  tools: { polygon: "by polygon", interactive: "by click to segment", sam: "by SAM" } as Readonly<Record<string, string>>,
  objects: "Objects in some images", objectsInstead: "Objects in other images instead",
  size: "Diameter of an object (share of the diagonal)",
  badCounts: "Objects are numbers with commas between: 3, 12, 7.",
  ask: "Advise",
  label: (type: string) => `Label type: ${type}`,
  because: "Because",
  cannot: (words: string) => `It cannot say ${words}.`,
  also: "Besides",
  unknown: (words: string) => `Taken as no, for want of an answer: ${words}.`,
  packs: "Check with the rule packs", metrics: "Score with", models: "Train", hardware: "Hardware",
  alternatives: "What else would do",
  costs: "What it costs",
  costsHint: (images: number) =>
    `Money, from P10 to P90 with P50 marked, ${images ? `by the work in ${plural(images, "finished image")}` : "by the objects that you counted"}.`,
  mixed: (type: string, modes: readonly string[]) => `${type} takes parts of ${modes.join(" and ")}.`,
  noLoad: "There is no finished image yet, and no count of objects: say above how many objects some images have.",
  drivers: (mode: string) => `What moves the cost of ${mode} labels most`,
  driverNames: {
    ratio: "instance : semantic", overhead: "overhead", review: "review", rework: "rework", boundary: "drawing outlines",
    segment: "starting a segment", tool: "the tool", open: "opening an image", class: "choosing classes", contact: "contacts",
    order: "ordering", void: "filling gaps", box: "drawing boxes", pace: "measured pace",
  } as Readonly<Record<string, string>>,
  mode: "Label type", hours: (tail: string) => `Hours ${tail}`, moneyOf: (tail: string) => `Money ${tail}`, source: "Figures", advised: "advised",
  money: (value: number) => value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 2 : 0 }),
  guide: "Label guide",
  guideHint: "With the classes of this project. Fill in what each class is and is not before you hand it out.",
  copyGuide: "Copy", keepGuide: "Keep as a file",
};

export const buying = {
  title: "What the next hours buy",
  hint:
    "New images, better outlines of those at hand, or another label type? The table says what trainings reached: a line for each, " +
    "with the type of its labels, the seconds that an image of it takes, the number of images and the score on one test set.",
  table: "Scores, as CSV with the columns type, seconds, images and score", file: "Or take them from a file",
  have: "Labels at hand", images: "Images that have them", hours: "Hours to spend",
  ask: "What to buy", asking: "Fitting the curves…",
  best: (name: string) => `Buy: ${name}`,
  stop: "Stop: nothing here is expected to add anything.",
  chart: "Score that each way adds, from P10 to P90 with P50 marked and written.",
  columns: ["Way", "Hours", "Gain P10", "P50", "P90", "An hour"],
  gain: (value: number) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`,
  perHour: (value: number) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(4)}`,
};
