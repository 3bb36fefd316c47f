"""The services as they are deployed: imported from their own folder, by an interpreter of their own."""
