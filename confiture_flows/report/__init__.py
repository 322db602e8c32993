"""Report values and how they are rendered: text, JSON, Markdown. Knows no other room's types."""
