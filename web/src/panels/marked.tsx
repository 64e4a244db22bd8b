/** Texts with the little Markdown that guides and hints are written in. */

/** Heads, lists, emphasis. */
export const Marked = ({ words }: { readonly words: string }) => (
  <>
    {words.trim().split("\n\n").map((block, i) => {
      if (block.startsWith("## ")) return <h3 key={i}>{block.slice(3)}</h3>;
      if (block.startsWith("# ")) return <p key={i}><strong>{block.slice(2)}</strong></p>;
      if (block.startsWith("- ")) return <ul key={i} class="bullets">{block.split("\n").map((line) => <li key={line}><Inline words={line.slice(2)} /></li>)}</ul>;
      return <p key={i}><Inline words={block} /></p>;
    })}
  </>
);

/** One line of it. */
export const Inline = ({ words }: { readonly words: string }) => (
  <>
    {words.split(/(\*\*[^*]+\*\*|\*[^*]+\*|`[^`]+`)/).map((part, i) => {
      if (part.startsWith("**")) return <strong key={i}>{part.slice(2, -2)}</strong>;
      if (part.startsWith("`")) return <code key={i}>{part.slice(1, -1)}</code>;
      return part.startsWith("*") ? <em key={i}>{part.slice(1, -1)}</em> : part;
    })}
  </>
);
