"""What every function stands on.

Python runs this before anything else of `shared`, and so before FastAPI (functions/ruff.toml), whose import is most of
what a function's own cold start adds: together the two settings take a fifth off it (`make bench-cold`).
"""

import gc

from pydantic import BaseModel

# Imports make 80,000 objects that stay, and Python looks through them 110 times for some that don't.
gc.set_threshold(10_000, 10, 10)

# A model's validator is built when it is first used, not when it is defined: of FastAPI's own, which describe OpenAPI,
# none ever is.
BaseModel.model_config["defer_build"] = True
