"""From events to bytes and back: the envelope of format 1, typed data, sealed personal fields."""
