"""FastAPI: JSON routes and, later, pages."""
