"""`./desk fuzz`: mutated mails through the reader."""
