"""Encoders: features at strides 2, 4, 8, 16, 32."""
