"""SQL text -> statements and facts about them. The only room that knows the parser (postgast)."""
