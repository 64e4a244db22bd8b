"""prompting"""
from typing import Any
