"""Clothes: fabrics, garments as shells of the body, skirts, shoes, and the wardrobe that chooses."""
