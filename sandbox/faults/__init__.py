"""Makes a part of the sandbox misbehave, at the wire: the part itself answers
as always, and what reaches the client is changed, delayed or lost."""
