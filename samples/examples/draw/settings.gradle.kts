rootProject.name = "draw"
