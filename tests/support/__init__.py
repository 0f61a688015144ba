"""Fixtures that every room's tests share: databases, mail servers, the corpus, a clock, a terminal."""
