"""saving"""
from typing import Any
