"""Lies told on purpose: small working stand-ins for the systems, with faults that can be switched on."""
