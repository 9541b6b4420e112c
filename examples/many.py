"""Many dots, a window: `python examples/many.py [HOST [PORT]]`. The arrow keys move your dot, the big one."""

import sys

import pygame

import netcode


def main(host: str = "localhost", port: str = "7777") -> None:
    screen = pygame.display.set_mode((1000, 700))
    client = netcode.Client(host, int(port), game="many")
    dots: dict[int, tuple[int, int]] = {}
    shown: dict[int, pygame.Vector2] = {}
    course = [0, 0]
    for _ in client.ticks(60):
        if any(event.type == pygame.QUIT for event in pygame.event.get()):
            client.close_nicely()
        held = pygame.key.get_pressed()
        wish = [held[pygame.K_RIGHT] - held[pygame.K_LEFT], held[pygame.K_DOWN] - held[pygame.K_UP]]
        if wish != course:
            client.send(course := wish)
        for event in client.events():
            if isinstance(event, netcode.Received):
                dots = event.message
        # A snapshot comes with every third frame; in between, dots glide to where they were seen last.
        shown = {who: shown.get(who, pygame.Vector2(at)).lerp(at, 0.25) for who, at in dots.items()}
        screen.fill((12, 14, 30))
        for who, at in shown.items():
            color = (100 + who * 47 % 156, 100 + who * 91 % 156, 100 + who * 29 % 156)
            pygame.draw.circle(screen, color, at, 12 if who == client.id else 6)
        pygame.display.flip()
    netcode.say(client.reason)


if __name__ == "__main__":
    main(*sys.argv[1:])
