"""dashboard"""
from typing import Any
