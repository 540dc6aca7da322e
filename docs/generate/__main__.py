"""Writes the generated pages: `python -m docs.generate`, or `scripts/make_docs`."""

from docs.generate import DOCS, generated

if __name__ == "__main__":
    for path, text in generated().items():
        (DOCS / path).parent.mkdir(parents=True, exist_ok=True)
        (DOCS / path).write_text(text, encoding="utf-8")
        print(f"docs/{path}")  # noqa: T201  (a program)
