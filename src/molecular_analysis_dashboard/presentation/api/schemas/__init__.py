"""What goes over the wire: one Pydantic model per body, separate from the domain's words."""
