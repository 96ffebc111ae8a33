"""The fixtures of tests/infra/crm.py, for every test below."""

from tests.infra.crm import embedded_settings, embedded_shop, settings, shop

__all__ = ["embedded_settings", "embedded_shop", "settings", "shop"]
