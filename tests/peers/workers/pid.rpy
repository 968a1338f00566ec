# A resource for `twist web --path`: answers with the pid of its worker.
import os

from twisted.web.static import Data

resource = Data(str(os.getpid()).encode(), "text/plain")
