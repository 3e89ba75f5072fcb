"""The product's words as frozen dataclasses and pure rules: no framework, no toolkit, no input or output."""
