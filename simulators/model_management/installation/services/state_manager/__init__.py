"""The State Manager: connections that the services share."""
