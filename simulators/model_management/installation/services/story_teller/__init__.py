"""The story teller: narratives, and what keeps them safe."""
