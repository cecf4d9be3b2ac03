"""Software peers that share busgate's nouns, never its decoders: what they make is a fair test."""
