"""What Go writes and reads in its own way: text, JSON, structs, orders that come from hashes."""
