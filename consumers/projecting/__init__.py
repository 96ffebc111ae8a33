"""The projector: folds the index into read models, rows and checkpoint in one transaction."""
