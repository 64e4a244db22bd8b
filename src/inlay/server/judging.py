"""judging"""
from typing import Any
