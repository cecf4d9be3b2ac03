"""Events to the outside: topics, sentences for people, the uplink."""
