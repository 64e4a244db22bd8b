/** What lies on top of the segments: the pixel grid and what the tool is drawing. */
import { type Box, type Point, clip, height, isEmpty, width } from "../core/geometry.ts";
import type { Region } from "../core/region.ts";
import type { Preview } from "../core/tool.ts";
import type { Sight } from "./sampler.ts";

const GRID_FROM = 8; // device pixels an image pixel from which on the grid is drawn
const DOTS = { vertex: "#ffffff", active: "#ffd400", positive: "#25d366", negative: "#ff3b3b" } as const;

type Context = CanvasRenderingContext2D;

export function drawOverlay(context: Context, sight: Sight, image: Box, preview: Preview | null, ratio: number): void {
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  const at = ([x, y]: Point): Point => [(x - sight.x) * sight.scale, (y - sight.y) * sight.scale];
  if (sight.scale >= GRID_FROM) drawGrid(context, sight, image, at);
  if (!preview) return;
  if (preview.region) drawRegion(context, preview.region, sight, at);
  for (const { points, closed, dashed } of preview.lines ?? []) drawLine(context, points.map(at), ratio, closed, dashed);
  if (preview.box) drawLine(context, corners(preview.box).map(at), ratio, true, false);
  for (const { at: place, kind } of preview.dots ?? []) drawDot(context, at(place), DOTS[kind], ratio, kind === "active" ? 6 : 4);
  if (preview.brush) drawBrush(context, at(preview.brush.at), preview.brush.radius * sight.scale, ratio);
}

const corners = ([x0, y0, x1, y1]: Box): Point[] => [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];

function drawGrid(context: Context, sight: Sight, image: Box, at: (p: Point) => Point): void {
  const { width: wide, height: tall } = context.canvas;
  const seen: Box = [Math.floor(sight.x), Math.floor(sight.y), sight.x + wide / sight.scale, sight.y + tall / sight.scale];
  const [x0, y0, x1, y1] = clip(image, seen);
  context.beginPath();
  for (let x = Math.ceil(x0); x <= x1; x++) segment(context, at([x, y0]), at([x, y1]));
  for (let y = Math.ceil(y0); y <= y1; y++) segment(context, at([x0, y]), at([x1, y]));
  context.lineWidth = 1;
  context.strokeStyle = "rgba(128, 128, 128, 0.5)";
  context.stroke();
}

function segment(context: Context, from: Point, to: Point): void {
  context.moveTo(Math.round(from[0]) + 0.5, Math.round(from[1]) + 0.5);
  context.lineTo(Math.round(to[0]) + 0.5, Math.round(to[1]) + 0.5);
}

/** A line that shows on light and on dark ground: a dark one below a bright one. */
function drawLine(context: Context, points: readonly Point[], ratio: number, closed = false, dashed = false): void {
  if (!points.length) return;
  context.beginPath();
  points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  if (closed) context.closePath();
  stroke(context, ratio, dashed);
}

function stroke(context: Context, ratio: number, dashed = false): void {
  context.lineJoin = "round";
  for (const [line, colour] of [[3.5, "rgba(0, 0, 0, 0.7)"], [1.5, "#ffffff"]] as const) {
    context.lineWidth = line * ratio;
    context.strokeStyle = colour;
    context.setLineDash(dashed ? [6 * ratio, 4 * ratio] : []);
    context.stroke();
  }
  context.setLineDash([]);
}

function drawDot(context: Context, [x, y]: Point, colour: string, ratio: number, radius: number): void {
  context.beginPath();
  context.arc(x, y, radius * ratio, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
  context.lineWidth = 1.5 * ratio;
  context.strokeStyle = "#000000";
  context.stroke();
}

function drawBrush(context: Context, [x, y]: Point, radius: number, ratio: number): void {
  context.beginPath();
  context.arc(x, y, Math.max(radius, 1.5 * ratio), 0, 2 * Math.PI);
  stroke(context, ratio * 0.8);
}

/** Fills the pixels of a region, row by row, in half-clear yellow. */
function drawRegion(context: Context, region: Region, sight: Sight, at: (p: Point) => Point): void {
  if (isEmpty(region.box)) return;
  const [wide, tall] = [width(region.box), height(region.box)];
  const step = Math.max(1, Math.floor(1 / sight.scale));
  context.fillStyle = "rgba(255, 212, 0, 0.55)";
  context.beginPath();
  for (let y = 0; y < tall; y += step)
    for (let x = 0; x < wide; x++) {
      if (!region.bits[y * wide + x]) continue;
      const from = x;
      while (x < wide && region.bits[y * wide + x]) x++;
      const [left, top] = at([region.box[0] + from, region.box[1] + y]);
      context.rect(left, top, (x - from) * sight.scale, step * sight.scale);
    }
  context.fill();
}
