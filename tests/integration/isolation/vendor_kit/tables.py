"""What values become."""

NAMES = ("Ada", "Grace", "Edsger", "Barbara")
