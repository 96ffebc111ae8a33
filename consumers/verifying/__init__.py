"""Verification, part by part: what there is, the log read again, the read models folded again."""
