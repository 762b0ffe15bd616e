# Another application, watched by wsgiref.validate: which one, LAB_VALIDATED says.
import importlib
import os
import wsgiref.validate

module, name = os.environ["LAB_VALIDATED"].split(":")
app = wsgiref.validate.validator(getattr(importlib.import_module(module), name))
