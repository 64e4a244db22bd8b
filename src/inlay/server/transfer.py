"""transfer"""
from typing import Any
