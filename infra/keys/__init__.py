"""Encryption keys: one owner's each, wrapped by the master key, in the topic `crm.keys`; erased by overwriting."""
