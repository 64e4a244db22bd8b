"""comparing"""
from typing import Any
