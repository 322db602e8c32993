"""Ways to ask: a whole terminal, plain lines, a file of answers."""
