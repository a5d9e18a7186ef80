CREATE DATABASE tracker OWNER assistant;
