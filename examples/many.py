"""Many dots, a window: `python examples/many.py [HOST [PORT [NAME]]]`. The arrow keys move your dot, F3 shows the link."""

import sys

import pygame

import netcode.pygame


def main(host: str = "localhost", port: str = "7777", name: str = "somebody") -> None:
    pygame.init()
    screen, font = pygame.display.set_mode((1000, 700)), pygame.font.Font(None, 20)
    client = netcode.Client(host, int(port), game="many", credentials=name)
    overlay = netcode.pygame.Overlay(client, visible=True)
    snapshots = netcode.Snapshots[dict[int, tuple[float, float, str]]](rate=20)
    course = [0, 0]
    for _ in client.ticks(60):
        if any(event.type == pygame.QUIT for event in pygame.event.get()):
            client.close_nicely()
        held = pygame.key.get_pressed()
        wish = [held[pygame.K_RIGHT] - held[pygame.K_LEFT], held[pygame.K_DOWN] - held[pygame.K_UP]]
        if wish != course:
            client.send(course := wish)
        for event in client.events():
            match event:
                case netcode.Received(_, {"tick": int(tick), "dots": dots}):
                    snapshots.add(tick, dots)
        screen.fill((24, 30, 56))
        for who, (x, y, called) in (snapshots.at(snapshots.now() - 0.1) or {}).items():
            color = (100 + who * 47 % 156, 100 + who * 91 % 156, 100 + who * 29 % 156)
            pygame.draw.circle(screen, color, (x, y), 12 if who == client.id else 6)
            screen.blit(font.render(f" {called}", True, color), (x + 10, y - 7))  # pygame draws no text without width
        overlay.draw(screen)
        pygame.display.flip()
    netcode.say(client.reason)


if __name__ == "__main__":
    main(*sys.argv[1:])
