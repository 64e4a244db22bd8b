/** Prints documents, random gestures on them and what comes of it, a line of JSON each: for the server's tests. */
import { type Gesture, inverse } from "../src/core/gesture.ts";
import { merge } from "../src/core/rebase.ts";
import { copy, randomDocument, randomGesture, randomOf } from "../test/random.ts";

const some = (count: number, make: () => Gesture | null): Gesture[] =>
  Array.from({ length: count }, make).filter((gesture) => gesture !== null);

for (let seed = 0; seed < Number(process.argv[2]); seed++) {
  const random = randomOf(seed);
  const document = randomDocument(random, 4);
  const before = document.toJson();
  const theirs = copy(document);
  const others = some(2, () => randomGesture(random, theirs));
  const mine = some(3, () => randomGesture(random, document));
  const gestures = [...others, ...merge(document, mine, others).gestures];
  const last = gestures.at(-1);
  if (last) {
    const undo = inverse(last);
    document.apply(undo);
    gestures.push(undo);
  }
  console.log(JSON.stringify({ before, gestures, after: document.toJson() }));
}
