"""Many dots in a page, a client of examples/many_server.py; pack.py beside this file says how it gets there."""

import asyncio
from collections.abc import Callable

import netcode

HOST, PORT = "localhost", 7777  # where the server is, as players reach it
Dots = dict[int, tuple[float, float, str]]


async def play(client: netcode.Client, draw: Callable[[Dots], None], steer: Callable[[], list[int]]) -> str:
    course = [0, 0]
    while client.state is not netcode.State.DISCONNECTED:
        client.update()
        if (wish := steer()) != course:
            client.send(course := wish)
        for event in client.events():
            match event:
                case netcode.Received(_, {"dots": dots}):
                    draw(dots)
        await asyncio.sleep(0)  # the page's turn: without it nothing arrives, and nothing is shown
    return str(client.reason)


async def main() -> None:
    import pygame

    pygame.init()
    screen = pygame.display.set_mode((1000, 700))

    def draw(dots: Dots) -> None:
        screen.fill((24, 30, 56))
        for who, (x, y, _) in dots.items():
            pygame.draw.circle(screen, (100 + who * 47 % 156, 100 + who * 91 % 156, 200), (x, y), 10)
        pygame.display.flip()

    def steer() -> list[int]:
        pygame.event.pump()
        held = pygame.key.get_pressed()
        return [held[pygame.K_RIGHT] - held[pygame.K_LEFT], held[pygame.K_DOWN] - held[pygame.K_UP]]

    print(await play(netcode.Client(HOST, PORT, game="many", credentials="page"), draw, steer))


if __name__ == "__main__":
    asyncio.run(main())
