/** Drawn signs, 20 x 20, in the colour of the text. */

const PATHS = {
  select: "M4 3l11 7-5 1 3 6-2 1-3-6-4 4z",
  brush: "M16 3l-7 7 2 2 7-7zM8 11c-3 0-3 3-5 4 2 2 7 2 7-2z",
  erase: "M12 4l5 5-7 7H6l-3-3zM8 8l5 5M6 17h11",
  polygon: "M10 3l7 5-3 9H6L3 8z",
  box: "M3 5h14v10H3z",
  lasso: "M10 4c5 0 7 2 7 4s-2 5-7 5-7-3-7-5 2-4 7-4zM6 12c-1 2 1 3 0 5",
  scissors: "M5 4l9 10M15 4L6 14M5 14a2 2 0 100 3 2 2 0 000-3zM15 14a2 2 0 100 3 2 2 0 000-3z",
  fill: "M9 3l7 7-6 6-6-6 5-5M16 12c2 3 2 4 0 4s-2-1 0-4z",
  superpixel: "M3 3h6v5H3zM9 3h8v7H9zM3 8h6v9H3zM9 10h8v7H9z",
  prompt: "M4 16L12 8M10 6l4 4M13 2v3M17 4l-2 2M18 9h-3M8 3l1 2",
  everything: "M3 3h3M9 3h2M14 3h3v3M17 9v2M17 14v3h-3M11 17H9M6 17H3v-3M3 11V9M3 6V3M7 7h2v2H7zM12 8h1v1h-1zM8 12h1v1H8zM11 11h3v3h-3z",
  split: "M4 3v14h5V3zM13 3v14h4V3zM11 2v16",
  merge: "M3 5h8v8H3zM9 8h8v8H9z",
  edge: "M3 15c4-8 8 2 14-8M8 10a2 2 0 104 0 2 2 0 00-4 0z",
  undo: "M7 5L3 9l4 4M3 9h8a5 5 0 010 9H8",
  redo: "M13 5l4 4-4 4M17 9H9a5 5 0 000 9h3",
  close: "M5 5l10 10M15 5L5 15",
  lock: "M5 9h10v8H5zM7 9V6a3 3 0 016 0v3",
  unlock: "M5 9h10v8H5zM7 9V6a3 3 0 015-2",
  eye: "M2 10c4-7 12-7 16 0-4 7-12 7-16 0zM10 8a2 2 0 100 4 2 2 0 000-4z",
  hidden: "M2 10c4-7 12-7 16 0-4 7-12 7-16 0zM3 17L17 3",
  solo: "M10 3a7 7 0 100 14 7 7 0 000-14zM10 8a2 2 0 100 4 2 2 0 000-4z",
  up: "M10 16V4M5 9l5-5 5 5",
  down: "M10 4v12M5 11l5 5 5-5",
  left: "M12 4l-6 6 6 6",
  right: "M8 4l6 6-6 6",
  pan: "M7 10V5a1 1 0 012 0v4-6a1 1 0 012 0v6-5a1 1 0 012 0v6-3a1 1 0 012 0v5c0 3-2 5-4 5s-4-1-5-3l-3-4a1 1 0 012-1z",
  plus: "M10 4v12M4 10h12",
  trash: "M4 6h12M8 6V4h4v2M6 6l1 11h6l1-11",
  check: "M4 10l4 5 8-10",
  fix: "M12 3a4 4 0 00-4 5l-5 6 3 3 6-5a4 4 0 005-5l-3 2-2-2z",
  search: "M9 3a6 6 0 100 12A6 6 0 009 3zM14 14l4 4",
  fit: "M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4",
  gap: "M10 2v4M10 14v4M2 10h4M14 10h4M10 9a1 1 0 100 2 1 1 0 000-2z",
  image: "M3 4h14v12H3zM3 14l4-5 3 3 3-4 4 5",
  keyboard: "M2 5h16v10H2zM5 8h1M8 8h1M11 8h1M14 8h1M6 12h8",
  more: "M5 10h.1M10 10h.1M15 10h.1",
  command: "M5 6l4 4-4 4M10 15h6",
  comment: "M3 4h14v9H9l-4 4v-4H3z",
  history: "M10 3a7 7 0 11-6 4M4 3v4h4M10 6v4l3 2",
  copy: "M7 7h10v10H7zM13 7V3H3v10h4",
  grip: "M8 5h.1M12 5h.1M8 10h.1M12 10h.1M8 15h.1M12 15h.1",
  settings: "M3 6h8M15 6h2M3 14h2M9 14h8M13 4v4M7 12v4",
  out: "M8 4H4v12h4M12 6l4 4-4 4M16 10H8",
} as const;

export type IconName = keyof typeof PATHS;

export const isIcon = (name: string): name is IconName => name in PATHS;

/** One sign; never alone the name of anything. */
export const Icon = ({ name }: { readonly name: IconName }) => (
  <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
    <path d={PATHS[name]} fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" />
  </svg>
);
